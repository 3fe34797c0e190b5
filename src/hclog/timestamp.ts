/**
 * Local time in one of hclog's layouts. Node's clock has milliseconds, so the microseconds of the JSON layout end in
 * three zeros. UTC is written `Z` in both.
 * - `json`: 2006-01-02T15:04:05.000000Z07:00
 * - `plain`: 2006-01-02T15:04:05.000Z0700
 */
export function formatTimestamp(time: Date, layout: "json" | "plain"): string {
  const east = -time.getTimezoneOffset();
  const local = new Date(time.getTime() + east * 60_000).toISOString().slice(0, -1);
  const seconds = layout === "json" ? `${local}000` : local;
  if (east === 0) return `${seconds}Z`;
  const minutes = Math.abs(east);
  const two = (n: number) => String(n).padStart(2, "0");
  const colon = layout === "json" ? ":" : "";
  return `${seconds}${east < 0 ? "-" : "+"}${two(Math.floor(minutes / 60))}${colon}${two(minutes % 60)}`;
}
