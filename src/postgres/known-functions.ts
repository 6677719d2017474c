/**
 * Words that may stand before a parenthesis and write nothing: keywords, and built-in functions that only
 * compute. A call of anything else may write.
 */
const HARMLESS: ReadonlySet<string> = new Set(
  (
    'select from where and or not in any some all exists as on using over filter within group by having ' +
    'order limit offset values union except intersect when then else case end with recursive materialized ' +
    'lateral rows array row between is like ilike similar to partition window cast extract overlay ' +
    'position substring trim coalesce nullif greatest least join distinct interval numeric decimal ' +
    'varchar char character varying bit timestamp time float precision count sum min max avg every ' +
    'bool_and bool_or array_agg string_agg json_agg jsonb_agg json_object_agg jsonb_object_agg stddev ' +
    'variance percentile_cont percentile_disc mode rank dense_rank row_number percent_rank cume_dist ' +
    'ntile lag lead first_value last_value nth_value grouping abs ceil ceiling floor round trunc mod ' +
    'power sqrt exp ln log sign random div length char_length octet_length lower upper initcap concat ' +
    'concat_ws left right lpad rpad ltrim rtrim btrim replace repeat reverse split_part strpos substr ' +
    'translate ascii chr md5 encode decode format quote_ident quote_literal regexp_match regexp_matches ' +
    'regexp_replace regexp_split_to_array starts_with to_char to_date to_number to_timestamp to_json ' +
    'to_jsonb now age date_part date_trunc make_date make_interval clock_timestamp statement_timestamp ' +
    'transaction_timestamp current_setting version generate_series generate_subscripts unnest ' +
    'array_length array_append array_cat array_position array_remove array_to_string cardinality ' +
    'string_to_array row_to_json json_build_object jsonb_build_object json_build_array jsonb_build_array ' +
    'json_array_elements jsonb_array_elements json_array_elements_text jsonb_array_elements_text ' +
    'json_array_length jsonb_array_length json_each jsonb_each jsonb_set jsonb_path_query ' +
    'json_extract_path jsonb_extract_path jsonb_typeof json_typeof pg_sleep pg_backend_pid pg_typeof ' +
    'pg_table_size pg_total_relation_size pg_relation_size'
  ).split(' '),
);

/**
 * The functions that a text may call and that are not known to be harmless: words before a parenthesis,
 * quoted or not. Some of them are not functions; the server knows which are.
 *
 * @returns undefined where the text has names in a form that is not understood here
 */
export function unknownFunctions(text: string): readonly string[] | undefined {
  if (UNICODE_NAME.test(text)) return undefined;
  const names = new Set<string>();
  // Once with comments and once without: what looks like a comment may be inside a string, and hide a call.
  for (const reading of [text, text.replaceAll(COMMENT, ' ')]) {
    for (const [, word] of reading.matchAll(CALL)) {
      if (!HARMLESS.has(word!.toLowerCase())) names.add(word!).add(word!.toLowerCase());
    }
    for (const [, quoted] of reading.matchAll(QUOTED_CALL)) names.add(quoted!.replaceAll('""', '"'));
  }
  return [...names];
}

const CALL = /([\p{L}_][\p{L}\p{N}_$]*)"?\s*\(/gu;
const QUOTED_CALL = /"((?:[^"]|"")+)"\s*\(/g;
const COMMENT = /\/\*[\s\S]*?\*\/|--[^\n]*/g;
const UNICODE_NAME = /u&"/i;
