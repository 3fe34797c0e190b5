// The field `grpc-timeout` (gRPC: PROTOCOL-HTTP2.md, Requests): at most eight digits and a unit.

const units: readonly (readonly [string, number])[] = [
  ["m", 1],
  ["S", 1000],
  ["M", 60_000],
  ["H", 3_600_000],
];
const MOST = 99_999_999;

/** Milliseconds, not negative, as a timeout: in the finest unit that holds them, rounded up. */
export function encodeTimeout(milliseconds: number): string {
  for (const [unit, size] of units) {
    const value = Math.ceil(milliseconds / size);
    if (value <= MOST) return `${value}${unit}`;
  }
  return `${MOST}H`;
}

const sizes: Readonly<Record<string, number>> = {
  n: 1e-6,
  u: 1e-3,
  m: 1,
  S: 1000,
  M: 60_000,
  H: 3_600_000,
};

/** Milliseconds; undefined for what is no timeout. */
export function decodeTimeout(text: string): number | undefined {
  if (!/^[0-9]{1,8}[numSMH]$/.test(text)) return undefined;
  return Number(text.slice(0, -1)) * sizes[text.at(-1)!]!;
}
