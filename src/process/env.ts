/** Environment variables by name; undefined: the variable is not set. */
export type Env = Readonly<Record<string, string | undefined>>;

/** What tells whether two names are the same variable: on Windows their case does not. */
function keyOf(name: string, platform: NodeJS.Platform): string {
  return platform === "win32" ? name.toUpperCase() : name;
}

/**
 * Joins environments, of which the later ones win. On Windows `Path` and `PATH` are one variable (Go: os/exec, dedupEnv):
 * Node would take the one that sorts first.
 */
export function joinEnv(
  environments: readonly Env[],
  platform: NodeJS.Platform = process.platform,
): Record<string, string | undefined> {
  const joined: Record<string, string | undefined> = {};
  const names = new Map<string, string>();
  for (const environment of environments) {
    for (const [name, value] of Object.entries(environment)) {
      const key = keyOf(name, platform);
      const earlier = names.get(key);
      if (earlier !== undefined) delete joined[earlier];
      names.set(key, name);
      joined[name] = value;
    }
  }
  return joined;
}

/** An environment less some variables. */
export function withoutEnv(
  environment: Env,
  without: readonly string[],
  platform: NodeJS.Platform = process.platform,
): Record<string, string | undefined> {
  const keys = new Set(without.map((name) => keyOf(name, platform)));
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !keys.has(keyOf(name, platform))));
}
