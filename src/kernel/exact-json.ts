/** As JSON, with amounts as their digits in a string, exact whatever their size. */
export function exactJson(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? each.toString() : each));
}
