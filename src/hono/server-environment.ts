import type { LogLevel } from '../config/index.ts';
import { suggest } from '../config/index.ts';
import { ConfigError, type ConfigProblem } from '../errors/index.ts';
import type { JwtAlgorithm, JwtAuthOptions } from './jwt-options.ts';
import { optional, readEnvironment, variable, type Environment } from './read-environment.ts';

/** What the environment says about a service; what it does not say is undefined. */
export interface ServerEnvironment {
  readonly port: number | undefined;
  readonly host: string | undefined;
  readonly log: LogLevel | undefined;
  readonly hosts: readonly string[] | undefined;
  readonly trustedProxies: readonly string[] | undefined;
  readonly corsOrigins: readonly string[] | undefined;
  readonly rateLimit: { readonly limit: number; readonly windowMs: number } | undefined;
  readonly maxBodyBytes: number | undefined;
  readonly auth: JwtAuthOptions | undefined;
  readonly shutdownTimeoutMs: number | undefined;
  readonly shutdownDelayMs: number | undefined;
}

const GIB = 1_073_741_824;
const HOUR_SECONDS = 3_600;
const RULES = {
  PORT: optional(variable.integer(0, 65_535)),
  HOST: optional(variable.text()),
  LOG_LEVEL: optional(variable.oneOf(['silent', 'error', 'warn', 'info', 'debug'])),
  TRUSTED_HOSTS: optional(variable.list()),
  TRUSTED_PROXIES: optional(variable.list()),
  CORS_ORIGINS: optional(variable.list()),
  RATE_LIMIT_MAX: optional(variable.integer(1, 1_000_000)),
  RATE_LIMIT_WINDOW: variable.integer(1, 24 * HOUR_SECONDS, 60),
  BODY_LIMIT_BYTES: optional(variable.integer(0, GIB)),
  JWT_ISSUER: optional(variable.text()),
  JWT_AUDIENCE: optional(variable.list()),
  JWT_ALGORITHMS: optional(variable.list()),
  JWT_SECRET: optional(variable.text()),
  JWT_PUBLIC_KEY: optional(variable.text()),
  JWT_JWKS_URL: optional(variable.text()),
  SHUTDOWN_TIMEOUT: optional(variable.integer(1, HOUR_SECONDS)),
  SHUTDOWN_DELAY: optional(variable.integer(0, HOUR_SECONDS)),
};

/** Names that begin so are ours; one that we do not know is a mistake. */
const OUR_NAMES = /^(?:TRUSTED_(?:HOST|PROX)|CORS_|RATE_LIMIT|BODY_LIMIT|JWT_|SHUTDOWN_)/;

/**
 * `moreFaults` looks at what was read together.
 * @throws ConfigError naming every variable that is wrong; it shows no values
 */
export function readServerEnvironment(
  environment: Environment = process.env,
  moreFaults: (said: ServerEnvironment, environment: Environment) => ConfigProblem[] = () => [],
): ServerEnvironment {
  const problems = unknownNames(environment);
  const said = toSaid(readWith(problems, environment));
  problems.push(...moreFaults(said, environment));
  if (problems.length > 0) throw new ConfigError(problems);
  return said;
}

function toSaid(values: Values): ServerEnvironment {
  const { RATE_LIMIT_MAX: limit, SHUTDOWN_TIMEOUT: timeout, SHUTDOWN_DELAY: delay } = values;
  return {
    port: values.PORT,
    host: values.HOST,
    log: values.LOG_LEVEL,
    hosts: values.TRUSTED_HOSTS,
    trustedProxies: values.TRUSTED_PROXIES,
    corsOrigins: values.CORS_ORIGINS,
    rateLimit: limit === undefined ? undefined : { limit, windowMs: values.RATE_LIMIT_WINDOW * 1_000 },
    maxBodyBytes: values.BODY_LIMIT_BYTES,
    auth: toAuth(values),
    shutdownTimeoutMs: timeout === undefined ? undefined : timeout * 1_000,
    shutdownDelayMs: delay === undefined ? undefined : delay * 1_000,
  };
}

type Values = ReturnType<typeof readEnvironment<typeof RULES>>;

/** One by one: what is wrong is undefined and a problem, and the rest can be looked at all the same. */
function readWith(problems: ConfigProblem[], environment: Environment): Values {
  const values = Object.entries(RULES).map(([name, rule]) => {
    try {
      return [name, readEnvironment({ [name]: rule }, environment)[name]];
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      problems.push(...error.problems);
      return [name, undefined];
    }
  });
  return Object.fromEntries(values) as Values;
}

/** Whether they fit together is for `jwtAuth` to say. */
function toAuth(values: Values): JwtAuthOptions | undefined {
  const isSaid = Object.entries(values).some(
    ([name, value]) => name.startsWith('JWT_') && value !== undefined,
  );
  if (!isSaid) return undefined;
  return {
    issuer: values.JWT_ISSUER ?? [],
    audience: values.JWT_AUDIENCE ?? [],
    algorithms: (values.JWT_ALGORITHMS ?? []) as readonly JwtAlgorithm[],
    secret: values.JWT_SECRET,
    // In one line, as many platforms keep it.
    publicKey: values.JWT_PUBLIC_KEY?.replaceAll('\\n', '\n'),
    jwksUrl: values.JWT_JWKS_URL,
  };
}

function unknownNames(environment: Environment): ConfigProblem[] {
  const known = Object.keys(RULES);
  const wrong = Object.keys(environment).filter((name) => OUR_NAMES.test(name) && !known.includes(name));
  return wrong.map((name) => {
    const meant = suggest(name, known);
    const hint = meant === undefined ? '' : ` Did you mean ${meant}?`;
    return { key: name.slice(0, 60), message: `There is no such variable.${hint}`, source: 'environment' };
  });
}
