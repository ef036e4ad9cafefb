import { Problem } from '../../kernel/problem.ts';

/** How many connections may be kept busy at once: files in and out, and events. */
export type StreamLimits = { readonly each: number; readonly all: number };

export type OpenStreams = {
  /** Counts one more of `who` until the returned function is called. @throws Problem `streams_too_many` */
  begin(who: string): () => void;
};

export function createOpenStreams({ each, all }: StreamLimits): OpenStreams {
  const open = new Map<string, number>();
  let sum = 0;
  return {
    begin(who) {
      const own = open.get(who) ?? 0;
      if (own >= each) throw new Problem('streams_too_many', { limit: each });
      if (sum >= all) throw new Problem('streams_too_many', { limit: all });
      open.set(who, own + 1);
      sum += 1;
      let isOpen = true;
      return () => {
        if (!isOpen) return;
        isOpen = false;
        sum -= 1;
        const left = (open.get(who) ?? 1) - 1;
        if (left === 0) open.delete(who);
        else open.set(who, left);
      };
    },
  };
}
