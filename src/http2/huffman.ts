// The code of RFC 7541, appendix B. It is canonical: codes of one length count upwards in the order of their symbols,
// and each length goes on where the one before ended. So the lengths are the whole table.

/** Bits of the codes of the octets 0 to 255, in order. The end-of-string symbol has 30 bits, all ones. */
// biome-ignore format: a table
const lengths: readonly number[] = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
  6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
  15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
  20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
  22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
  26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
  20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
];
const EOS = 256;
const EOS_BITS = 30;

// The tree of codes as a machine that eats four bits at a time. A step is a number: the next state, whether the string
// may end there (what is left of the code is padding), whether a symbol came out, and which.
const ACCEPTING = 1 << 16;
const EMITS = 1 << 17;
const SYMBOL_SHIFT = 18;
const FAILS = -1;

/** What a step is that was never taken: each real one leads to another state, or gives a symbol. */
const UNKNOWN = 0;

interface Machine {
  /** The children of each inner node, for a 0 and for a 1: a further inner node if not negative, else -1 - symbol. */
  readonly children: Int16Array;
  /** By state and the next four bits. */
  readonly steps: Int32Array;
  /** The states in which nothing but padding is left: the beginning of the end-of-string symbol, less than a byte of it. */
  readonly accepting: ReadonlySet<number>;
}

let machine: Machine | undefined;

/** Made when the first Huffman string comes: a plugin may never see one. */
function build(): Machine {
  const children = new Int16Array(512);
  let nodes = 1;
  const symbols = Array.from({ length: 257 }, (_, symbol) => symbol);
  const bitsOf = (symbol: number): number => (symbol === EOS ? EOS_BITS : lengths[symbol]!);
  symbols.sort((a, b) => bitsOf(a) - bitsOf(b) || a - b);
  let code = 0;
  let last = bitsOf(symbols[0]!);
  for (const symbol of symbols) {
    code <<= bitsOf(symbol) - last;
    last = bitsOf(symbol);
    let node = 0;
    for (let bit = last - 1; bit > 0; bit--) {
      const child = node * 2 + ((code >>> bit) & 1);
      if (children[child] === 0) children[child] = nodes++;
      node = children[child]!;
    }
    children[node * 2 + (code & 1)] = -1 - symbol;
    code++;
  }
  const accepting = new Set<number>();
  for (let node = 0, depth = 0; depth < 8; depth++) {
    accepting.add(node);
    node = children[node * 2 + 1]!;
  }
  return { children, accepting, steps: new Int32Array(nodes * 16) };
}

/** Walks four bits from a state, and remembers what comes of it: strings meet few of all steps, a plugin's first call few of these. */
function walk({ children, accepting, steps }: Machine, at: number): number {
  let node = at >>> 4;
  let symbol = 0;
  for (let bit = 3; bit >= 0; bit--) {
    const next = children[node * 2 + ((at >>> bit) & 1)]!;
    node = Math.max(next, 0);
    if (next === -1 - EOS) {
      steps[at] = FAILS;
      return FAILS;
    }
    if (next < 0) symbol = EMITS | ((-1 - next) << SYMBOL_SHIFT);
  }
  const step = symbol | node | (accepting.has(node) ? ACCEPTING : 0);
  steps[at] = step;
  return step;
}

const scratch = Buffer.allocUnsafe(1024);

/**
 * Decodes a Huffman string to text of one character an octet; undefined if it holds the end-of-string symbol, or ends
 * in more than seven bits of padding or in other padding than ones (RFC 7541, section 5.2).
 */
export function decodeHuffman(source: Uint8Array, start: number, end: number): string | undefined {
  machine ??= build();
  const { steps } = machine;
  // The shortest code has five bits.
  const most = Math.ceil(((end - start) * 8) / 5);
  const out = most <= scratch.length ? scratch : Buffer.allocUnsafe(most);
  let length = 0;
  let step = ACCEPTING;
  let place: number;
  for (let at = start; at < end; at++) {
    const byte = source[at]!;
    place = (step & 0xffff) * 16 + (byte >>> 4);
    step = steps[place]!;
    if (step === UNKNOWN) step = walk(machine, place);
    if (step === FAILS) return undefined;
    if (step & EMITS) out[length++] = step >>> SYMBOL_SHIFT;
    place = (step & 0xffff) * 16 + (byte & 15);
    step = steps[place]!;
    if (step === UNKNOWN) step = walk(machine, place);
    if (step === FAILS) return undefined;
    if (step & EMITS) out[length++] = step >>> SYMBOL_SHIFT;
  }
  return step & ACCEPTING ? out.toString("latin1", 0, length) : undefined;
}
