// Reads Go's spelling of types and declarations, as the vectors and gobpeer write them.

export type GoTypeNode =
  | { k: "name"; name: string }
  | { k: "slice"; elem: GoTypeNode }
  | { k: "array"; length: number; elem: GoTypeNode }
  | { k: "map"; key: GoTypeNode; elem: GoTypeNode }
  | { k: "pointer"; elem: GoTypeNode }
  | { k: "interface" }
  | { k: "struct"; fields: [name: string, type: GoTypeNode][] };

/** A declaration `type Name T`; a comment that it implements marshalers goes into `implements`. */
export interface GoDeclaration {
  name: string;
  type: GoTypeNode;
  implements: string;
}

class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** Skips blanks, but not line ends, which separate fields. */
  #blanks(): void {
    while (/[ \t]/.test(this.#text[this.#at] ?? "")) this.#at++;
  }

  is(token: string): boolean {
    this.#blanks();
    return this.#text.startsWith(token, this.#at);
  }

  take(token: string): boolean {
    if (!this.is(token)) return false;
    this.#at += token.length;
    return true;
  }

  expect(token: string): void {
    if (!this.take(token)) throw new Error(`expected ${token} at ${this.#at} in ${this.#text}`);
  }

  word(): string {
    this.#blanks();
    const found = /^[\p{L}_][\p{L}\p{Nd}_.]*/u.exec(this.#text.slice(this.#at))?.[0];
    if (found === undefined) throw new Error(`expected a name at ${this.#at} in ${this.#text}`);
    this.#at += found.length;
    return found;
  }

  number(): number {
    const found = /^\d+/.exec(this.#text.slice(this.#at))![0];
    this.#at += found.length;
    return Number(found);
  }

  separators(): void {
    while (this.take("\n") || this.take(";"));
  }

  rest(): string {
    return this.#text.slice(this.#at);
  }

  type(): GoTypeNode {
    if (this.take("*")) return { k: "pointer", elem: this.type() };
    if (this.take("[]")) return { k: "slice", elem: this.type() };
    if (this.take("[")) {
      const length = this.number();
      this.expect("]");
      return { k: "array", length, elem: this.type() };
    }
    if (this.take("map[")) {
      const key = this.type();
      this.expect("]");
      return { k: "map", key, elem: this.type() };
    }
    if (this.take("interface")) {
      this.expect("{");
      while (!this.take("}")) this.#at++;
      return { k: "interface" };
    }
    if (this.is("struct {") || this.is("struct{")) return this.#struct();
    const name = this.word();
    return name === "any" ? { k: "interface" } : { k: "name", name };
  }

  #struct(): GoTypeNode {
    this.expect("struct");
    this.expect("{");
    const fields: [string, GoTypeNode][] = [];
    for (this.separators(); !this.take("}"); this.separators()) {
      if (this.take("*")) {
        const name = this.word();
        fields.push([name.slice(name.lastIndexOf(".") + 1), { k: "pointer", elem: { k: "name", name } }]);
        continue;
      }
      const names = [this.word()];
      while (this.take(",")) names.push(this.word());
      // A name alone is an embedded type.
      const type: GoTypeNode =
        this.is("\n") || this.is("}") || this.is(";") ? { k: "name", name: names[0]! } : this.type();
      for (const name of names) fields.push([name, type]);
    }
    return { k: "struct", fields };
  }
}

export function parseType(text: string): GoTypeNode {
  const scanner = new Scanner(text);
  const type = scanner.type();
  if (scanner.rest().trim() !== "") throw new Error(`more than a type: ${text}`);
  return type;
}

export function parseDeclaration(text: string): GoDeclaration {
  const scanner = new Scanner(text);
  scanner.expect("type ");
  const name = scanner.word();
  const type = scanner.type();
  return { name, type, implements: /implements (.*)/.exec(scanner.rest())?.[1] ?? "" };
}
