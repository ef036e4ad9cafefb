/** Fails loudly where the program itself is wrong; never used for what a user or a provider may get wrong. */
export function check(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`bug: ${message}`);
}
