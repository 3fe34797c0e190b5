/** What the matrix leaves out on Windows, by the names of the cases, and why. */
const reasons: readonly (readonly [RegExp, string])[] = [
  [/ (sigint-ignored|sigterm)$/, "no process can be sent a signal"],
  [
    / (socket-(dir|group|dir-missing)|counter-sockets.*|.* unix, with intruders.*)$/,
    "plugins listen on TCP there",
  ],
  [/ (block|kill-stopped|kill-blocked)$/, "nothing resumes a process that was stopped"],
  [/ (README's|the server of|the tests of|.*docs\/|guide)/, "the documents' commands are for a POSIX shell"],
  [/Go half of definitions/, "the generator's test needs gofmt in the same world as Node"],
];

/** Why a case does not run on this system, if it does not. */
export function whyNotHere(name: string): string | undefined {
  if (process.platform !== "win32") return undefined;
  return reasons.find(([pattern]) => pattern.test(name))?.[1];
}
