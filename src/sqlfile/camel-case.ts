/** `get_job_by_id` and `get-job-by-id` become `getJobById`; what has no _ or - stays as it is. */
export function toCamelCase(written: string): string {
  const [lead = ''] = /^[_-]*/.exec(written) ?? [];
  const [first = '', ...others] = written.slice(lead.length).split(/[_-]+/);
  let name = first;
  for (const word of others) name += toPascalCase(word);
  return lead.replaceAll('-', '_') + name;
}

/** `getJobById` becomes `GetJobById`: the name of a type. */
export function toPascalCase(camelCase: string): string {
  const [first = ''] = camelCase;
  return first.toUpperCase() + camelCase.slice(first.length);
}
