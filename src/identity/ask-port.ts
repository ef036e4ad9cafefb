import { createInterface, type Interface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

/** Asks whoever sits at the terminal, or reads the next line of what was piped in. */
export type Ask = { line(question: string, how?: { readonly hidden?: boolean }): Promise<string>; close(): void };

/** What is typed is not shown where it is `hidden`; questions go to `output`, which is not what a command prints. */
export function openAsk(input: Readable & { isTTY?: boolean }, output: Writable): Ask {
  let lines: AsyncIterator<string> | undefined;
  let reader: Interface | undefined;
  let muted = false;
  const screen = {
    write: (text: string) => (muted ? true : output.write(text)),
  };
  return {
    async line(question, { hidden = false } = {}) {
      if (reader === undefined) {
        reader = createInterface({ input, terminal: input.isTTY === true, output: mutable(output, screen) });
        lines = reader[Symbol.asyncIterator]();
      }
      if (input.isTTY === true) output.write(`${question}: `);
      muted = hidden;
      try {
        const { value, done } = (await lines?.next()) ?? { value: undefined, done: true };
        return done === true ? '' : String(value);
      } finally {
        muted = false;
        if (hidden && input.isTTY === true) output.write('\n');
      }
    },
    close: () => reader?.close(),
  };
}

/** The terminal, with what is echoed going through `screen`. */
function mutable(output: Writable, screen: { write(text: string): boolean }): Writable {
  return new Proxy(output, {
    get(target, name) {
      if (name === 'write') return (text: string) => screen.write(text);
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
