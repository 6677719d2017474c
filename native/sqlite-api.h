/*
** The few functions of SQLite that interrupt.c calls, so that it builds where SQLite's own header is not
** installed. An extension gets them from the host, as a table of pointers: `sqlite3_api_routines` in
** https://sqlite.org/src/file/src/sqlite3ext.h ("this structure is only ever extended at its end"). The numbers are
** positions in that table; test/integration/interrupt-abi.test.ts compares them with the header.
*/
#ifndef MILLPOND_SQLITE_API_H
#define MILLPOND_SQLITE_API_H

typedef struct sqlite3 sqlite3;
typedef struct sqlite3_context sqlite3_context;
typedef struct sqlite3_value sqlite3_value;
typedef struct sqlite3_mutex sqlite3_mutex;
typedef long long sqlite3_int64;
typedef void (*sqlite3_api_pointer)(void);

/* https://sqlite.org/rescode.html, https://sqlite.org/c3ref/c_deterministic.html, https://sqlite.org/c3ref/c_mutex_fast.html */
#define SQLITE_OK 0
#define SQLITE_NOMEM 7
#define SQLITE_OK_LOAD_PERMANENTLY 256
#define SQLITE_UTF8 1
#define SQLITE_DIRECTONLY 0x000080000
#define SQLITE_MUTEX_STATIC_APP1 8

#define MILLPOND_FREE 58
#define MILLPOND_INTERRUPT 64
#define MILLPOND_MALLOC 68
#define MILLPOND_RESULT_ERROR 80
#define MILLPOND_RESULT_INT 82
#define MILLPOND_RESULT_INT64 83
#define MILLPOND_USER_DATA 101
#define MILLPOND_VALUE_INT64 107
#define MILLPOND_MUTEX_ALLOC 130
#define MILLPOND_MUTEX_ENTER 131
#define MILLPOND_MUTEX_LEAVE 133
#define MILLPOND_CONTEXT_DB_HANDLE 149
#define MILLPOND_CREATE_FUNCTION_V2 162

/* The table; interrupt.c defines it. */
static const sqlite3_api_pointer *sqlite3_api;

#define sqlite3_free ((void (*)(void *))sqlite3_api[MILLPOND_FREE])
#define sqlite3_interrupt ((void (*)(sqlite3 *))sqlite3_api[MILLPOND_INTERRUPT])
#define sqlite3_malloc ((void *(*)(int))sqlite3_api[MILLPOND_MALLOC])
#define sqlite3_result_error ((void (*)(sqlite3_context *, const char *, int))sqlite3_api[MILLPOND_RESULT_ERROR])
#define sqlite3_result_int ((void (*)(sqlite3_context *, int))sqlite3_api[MILLPOND_RESULT_INT])
#define sqlite3_result_int64 ((void (*)(sqlite3_context *, sqlite3_int64))sqlite3_api[MILLPOND_RESULT_INT64])
#define sqlite3_user_data ((void *(*)(sqlite3_context *))sqlite3_api[MILLPOND_USER_DATA])
#define sqlite3_value_int64 ((sqlite3_int64(*)(sqlite3_value *))sqlite3_api[MILLPOND_VALUE_INT64])
#define sqlite3_mutex_alloc ((sqlite3_mutex * (*)(int)) sqlite3_api[MILLPOND_MUTEX_ALLOC])
#define sqlite3_mutex_enter ((void (*)(sqlite3_mutex *))sqlite3_api[MILLPOND_MUTEX_ENTER])
#define sqlite3_mutex_leave ((void (*)(sqlite3_mutex *))sqlite3_api[MILLPOND_MUTEX_LEAVE])
#define sqlite3_context_db_handle ((sqlite3 * (*)(sqlite3_context *)) sqlite3_api[MILLPOND_CONTEXT_DB_HANDLE])
typedef void (*MillpondFunction)(sqlite3_context *, int, sqlite3_value **);
typedef void (*MillpondFinal)(sqlite3_context *);
#define sqlite3_create_function_v2                                                                        \
  ((int (*)(sqlite3 *, const char *, int, int, void *, MillpondFunction, MillpondFunction, MillpondFinal, \
            void (*)(void *)))sqlite3_api[MILLPOND_CREATE_FUNCTION_V2])

#endif
