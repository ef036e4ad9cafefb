/** Gathers what is asked for at the same time into one call. */
export type Batch<Item, Result> = (item: Item) => Promise<Result>;

type Asked<Item, Result> = {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
};

/**
 * One call of `work` at a time; what comes while it runs goes into the next one, `most` at once. Nobody waits for a
 * timer: a lone item goes at once. `work` answers in the order of the items. Where it fails, the batch is halved down
 * to the culprits, and they alone fail.
 */
export function createBatch<Item, Result>(
  most: number,
  work: (items: readonly Item[]) => Promise<readonly Result[]>,
): Batch<Item, Result> {
  const queue: Asked<Item, Result>[] = [];
  let working = false;

  const settle = async (asked: readonly Asked<Item, Result>[]): Promise<void> => {
    try {
      const results = await work(asked.map(({ item }) => item));
      for (const [n, { resolve }] of asked.entries()) resolve(results[n] as Result);
    } catch (error) {
      if (asked.length === 1) return asked[0]?.reject(error);
      const half = Math.ceil(asked.length / 2);
      await settle(asked.slice(0, half));
      await settle(asked.slice(half));
    }
  };
  const drain = async (): Promise<void> => {
    working = true;
    while (queue.length > 0) await settle(queue.splice(0, most));
    working = false;
  };

  return (item) =>
    new Promise<Result>((resolve, reject) => {
      queue.push({ item, resolve, reject });
      if (!working) void drain();
    });
}
