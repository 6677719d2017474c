/**
 * Types that every server has under the same number:
 * https://github.com/postgres/postgres/blob/master/src/include/catalog/pg_type.dat
 */
export const TypeId = {
  bool: 16,
  bytea: 17,
  int8: 20,
  int2: 21,
  int4: 23,
  text: 25,
  oid: 26,
  json: 114,
  float4: 700,
  float8: 701,
  timestamptz: 1184,
  numeric: 1700,
  jsonb: 3802,
} as const;

/** The element types of array types; an array of a type that is not here is read as text. */
export const ELEMENT_TYPES: ReadonlyMap<number, number> = new Map([
  [199, TypeId.json],
  [651, 650],
  [719, 718],
  [791, 790],
  [1000, TypeId.bool],
  [1001, TypeId.bytea],
  [1002, 18],
  [1003, 19],
  [1005, TypeId.int2],
  [1007, TypeId.int4],
  [1009, TypeId.text],
  [1014, 1042],
  [1015, 1043],
  [1016, TypeId.int8],
  [1021, TypeId.float4],
  [1022, TypeId.float8],
  [1028, TypeId.oid],
  [1040, 829],
  [1041, 869],
  [1115, 1114],
  [1182, 1082],
  [1183, 1083],
  [1185, TypeId.timestamptz],
  [1187, 1186],
  [1231, TypeId.numeric],
  [1270, 1266],
  [2951, 2950],
  [3807, TypeId.jsonb],
]);
