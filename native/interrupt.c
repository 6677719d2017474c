/*
** A loadable extension: one SQLite connection stops the running statement of another, from any thread.
**
** SQLite has sqlite3_interrupt() for this, and node:sqlite has no way to call it. Here it becomes two SQL
** functions:
**
**   millpond_interrupt_register()  on the connection that may be stopped: its id, the same at every call.
**   millpond_interrupt(id)         on another connection: 1 when the connection with this id was open and has
**                                  been interrupted, 0 when it is closed or never was.
**
** An interrupt hits whatever the connection runs at that moment and does nothing to an idle one, so the
** caller must know which statement is running: https://sqlite.org/c3ref/interrupt.html
**
** No view, trigger or other part of a schema can call them (SQLITE_DIRECTONLY), and a registered connection
** cannot interrupt: ordinary SQL that reaches a worker has no power over the other workers.
**
** Build: npx millpond build-native (in this repository: npm run build:native)
*/
#include "sqlite-api.h"

#ifdef _WIN32
#define EXPORTED __declspec(dllexport)
#else
#define EXPORTED __attribute__((visibility("default")))
#endif

/* One per connection that loaded the extension. It lives and dies with it, hence no limit of its own. */
typedef struct Entry Entry;
struct Entry {
  sqlite3 *db;
  sqlite3_int64 id; /* 0 = not registered */
  Entry *next;
};

/* Both guarded by the mutex. Ids only grow: one kept past its connection's end never means another one. */
static Entry *registered = 0;
static sqlite3_int64 lastId = 0;

/* A static mutex of SQLite itself: one for the whole process, on every platform, nothing to initialise. */
static sqlite3_mutex *lock(void) {
  sqlite3_mutex *mutex = sqlite3_mutex_alloc(SQLITE_MUTEX_STATIC_APP1);
  sqlite3_mutex_enter(mutex);
  return mutex;
}

/* millpond_interrupt_register() */
static void registerSelf(sqlite3_context *context, int argc, sqlite3_value **argv) {
  Entry *self = sqlite3_user_data(context);
  sqlite3_mutex *mutex = lock();
  (void)argc, (void)argv;
  if (self->id == 0) {
    self->id = ++lastId;
    self->next = registered;
    registered = self;
  }
  sqlite3_mutex_leave(mutex);
  sqlite3_result_int64(context, self->id);
}

/* millpond_interrupt(id) */
static void interruptOther(sqlite3_context *context, int argc, sqlite3_value **argv) {
  sqlite3 *caller = sqlite3_context_db_handle(context);
  sqlite3_int64 id = sqlite3_value_int64(argv[0]);
  Entry *target = 0;
  int allowed = 1;
  sqlite3_mutex *mutex = lock();
  (void)argc;
  for (Entry *entry = registered; entry; entry = entry->next) {
    if (entry->db == caller) allowed = 0;
    if (entry->id == id) target = entry;
  }
  /* Under the mutex: the target cannot be closed meanwhile, because closing it waits in forget(). */
  if (allowed && target) sqlite3_interrupt(target->db);
  sqlite3_mutex_leave(mutex);
  if (allowed) sqlite3_result_int(context, target != 0);
  else sqlite3_result_error(context, "a connection that can be interrupted may not interrupt others", -1);
}

/*
** The destructor of millpond_interrupt_register. SQLite calls it while it closes the connection, before the
** handle is freed: https://sqlite.org/c3ref/create_function.html
*/
static void forget(void *pointer) {
  Entry *self = pointer;
  sqlite3_mutex *mutex = lock();
  Entry **link = &registered;
  while (*link && *link != self) link = &(*link)->next;
  if (*link) *link = self->next;
  sqlite3_mutex_leave(mutex);
  sqlite3_free(self);
}

EXPORTED int sqlite3_interrupt_init(sqlite3 *db, char **error, const sqlite3_api_pointer *api) {
  static const int FLAGS = SQLITE_UTF8 | SQLITE_DIRECTONLY;
  Entry *self;
  int rc;
  /* Once: other threads may be reading it, and for all connections of a process it is the same. */
  if (!sqlite3_api) sqlite3_api = api;
  (void)error;
  self = sqlite3_malloc(sizeof *self);
  if (!self) return SQLITE_NOMEM;
  self->db = db;
  self->id = 0;
  self->next = 0;
  /* The function owns the entry: should creating it fail, SQLite calls forget() all the same. */
  rc = sqlite3_create_function_v2(db, "millpond_interrupt_register", 0, FLAGS, self,
                                  registerSelf, 0, 0, forget);
  if (rc != SQLITE_OK) return rc;
  rc = sqlite3_create_function_v2(db, "millpond_interrupt", 1, FLAGS, 0, interruptOther, 0, 0, 0);
  /* Permanently: unloading the library with the last connection would start the ids again at 1. */
  return rc == SQLITE_OK ? SQLITE_OK_LOAD_PERMANENTLY : rc;
}
