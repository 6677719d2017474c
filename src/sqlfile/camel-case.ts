/** `get_job_by_id` and `get-job-by-id` become `getJobById`; what has no _ or - stays as it is. */
export function toCamelCase(written: string): string {
  if (!/[_-]/.test(written)) return written;
  const [, lead, rest] = /^([_-]*)(.*)$/s.exec(written)!;
  const joined = rest!.replaceAll(
    /[_-]+(.)?/gsu,
    (_, letter: string | undefined) => letter?.toUpperCase() ?? '',
  );
  return `${lead!.replaceAll('-', '_')}${joined}`;
}

/** `getJobById` becomes `GetJobById`: the name of a type. */
export function toPascalCase(camelCase: string): string {
  const [first = ''] = camelCase;
  return first.toUpperCase() + camelCase.slice(first.length);
}
