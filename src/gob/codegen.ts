// What both code generators share.

let allowed: boolean | undefined;

/** Whether functions may be made from strings: not under node's --disallow-code-generation-from-strings. */
export function canGenerate(): boolean {
  if (allowed === undefined) {
    try {
      allowed = new Function("return true")() as boolean;
    } catch {
      allowed = false;
    }
  }
  return allowed;
}

/** For tests: makes the closures serve although code could be generated. */
export function setGenerate(on: boolean): void {
  allowed = on;
}

/**
 * Thrown by generated code for whatever is wrong. Generated code is only trusted where it succeeds: the value is done
 * again by the closures, which know what to say.
 */
export const FAILED = Symbol("generated code failed");

/** Source text with the values that it refers to. */
export class Source {
  readonly #names: string[] = [];
  readonly #values: unknown[] = [];
  readonly #functions: string[] = [];
  #next = 0;

  /** A name by which the source can refer to a value. */
  constant(value: unknown): string {
    const at = this.#values.indexOf(value);
    if (at >= 0) return this.#names[at]!;
    const name = `c${this.#next++}`;
    this.#names.push(name);
    this.#values.push(value);
    return name;
  }

  /** A name for a function that is added later. */
  functionName(): string {
    return `f${this.#next++}`;
  }

  add(text: string): void {
    this.#functions.push(text);
  }

  /** Compiles everything and returns the function of that name. */
  compile(root: string): unknown {
    const body = `"use strict";\n${this.#functions.join("\n")}\nreturn ${root};`;
    return new Function(...this.#names, body)(...this.#values);
  }
}
