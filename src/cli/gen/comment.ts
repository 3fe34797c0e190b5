/** A doc comment of Go's text, at an indentation; nothing for an empty text. Go's `Deprecated:` is TypeScript's `@deprecated`. */
export function docComment(text: string | undefined, indent = ""): string {
  if (text === undefined || text.trim() === "") return "";
  const lines = text
    .trim()
    .replaceAll("*/", "*\\/")
    .replace(/^Deprecated: /gm, "@deprecated ")
    .split("\n")
    .map((line) => line.trimEnd().replaceAll("\t", "  "));
  if (lines.length === 1) return `${indent}/** ${lines[0]} */\n`;
  return `${indent}/**\n${lines.map((line) => `${indent} * ${line}`.trimEnd()).join("\n")}\n${indent} */\n`;
}
