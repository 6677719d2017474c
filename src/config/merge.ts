import { defaultsFor, PRESETS, type Circumstances } from './defaults.ts';
import { describeOrigin, type Setting } from './layer.ts';
import type { Origin, Problems } from './problems.ts';
import { OPTION_NAMES, type FlatOptions, type OptionName } from './schema.ts';

/** The settings of one kind of source: code, environment, file. The first level wins over the second. */
export type Levels = readonly (readonly Setting[])[];

/** Every option's value and its origin. */
export interface Merged {
  readonly values: FlatOptions;
  readonly sources: Readonly<Record<string, string>>;
  /**
   * Where an option was written, for a message about it; one that was written nowhere is named by its own
   * name.
   */
  readonly originOf: (option: OptionName) => Origin;
}

/** Code over environment over file over preset over defaults, option by option. */
export function mergeLevels(levels: Levels, circumstances: Circumstances, problems: Problems): Merged {
  const chosen = chooseSettings(alignDurability(levels, problems), problems);
  const preset = chosen.get('pool.preset')?.value as keyof typeof PRESETS | undefined;
  const fallbacks: readonly (readonly [source: string, values: Partial<FlatOptions>])[] = [
    ...(preset === undefined ? [] : [[`preset ${preset}`, PRESETS[preset]] as const]),
    ['default', defaultsFor(circumstances)],
  ];
  const values: Record<string, unknown> = {};
  const sources: Record<string, string> = {};
  for (const option of OPTION_NAMES) {
    const setting = chosen.get(option);
    const fallback = fallbacks.find(([, some]) => option in some);
    if (setting !== undefined) [values[option], sources[option]] = [setting.value, describeOrigin(setting)];
    else if (fallback !== undefined) [sources[option], values[option]] = [fallback[0], fallback[1][option]];
  }
  return {
    values: values as unknown as FlatOptions,
    sources,
    originOf: (option) => chosen.get(option) ?? { key: option, source: sources[option]! },
  };
}

/** The first level that sets an option decides it; a level must not set it twice. */
function chooseSettings(levels: Levels, problems: Problems): Map<OptionName, Setting> {
  const chosen = new Map<OptionName, Setting>();
  for (const level of levels) {
    const here = new Map<OptionName, Setting>();
    for (const setting of level) {
      const other = here.get(setting.option);
      if (other === undefined) here.set(setting.option, setting);
      else problems.add(setting, `says the same as ${other.key} (${other.source}); keep one of them`);
    }
    for (const [option, setting] of here) if (!chosen.has(option)) chosen.set(option, setting);
  }
  return chosen;
}

const SYNCHRONOUS = 'sqlite.synchronous';

/**
 * `durability` and `synchronous` are two words for one thing: the first source that sets either decides both,
 * and must not contradict itself.
 */
function alignDurability(levels: Levels, problems: Problems): Levels {
  const isEither = ({ option }: Setting): boolean => option === 'durability' || option === SYNCHRONOUS;
  const deciding = levels.findIndex((level) => level.some(isEither));
  return levels.map((level, index) => {
    if (index !== deciding) return level.filter((setting) => !isEither(setting));
    const durability = level.find(({ option }) => option === 'durability');
    const synchronous = level.find(({ option }) => option === SYNCHRONOUS);
    if (durability === undefined) {
      return [...level, { ...synchronous!, option: 'durability', value: durabilityOf(synchronous!.value) }];
    }
    if (synchronous === undefined) {
      return [
        ...level,
        { ...durability, option: SYNCHRONOUS, value: durability.value === 'full' ? 'full' : 'normal' },
      ];
    }
    if (durabilityOf(synchronous.value) !== durability.value) {
      const meaning = `"${String(synchronous.value)}" means durability "${durabilityOf(synchronous.value)}"`;
      const other = `${durability.key} (${durability.source}) is "${String(durability.value)}"`;
      problems.add(synchronous, `contradicts: ${meaning}, and ${other}; keep one of them`);
    }
    return level;
  });
}

function durabilityOf(synchronous: unknown): 'full' | 'process' {
  return synchronous === 'normal' ? 'process' : 'full';
}
