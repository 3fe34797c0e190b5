/** A fault that the user can mend: shown as one line, and the command ends with exit code 2. */
export class CommandError extends Error {
  override readonly name = "CommandError";
}
