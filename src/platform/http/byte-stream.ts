/** How a body that is made while it is sent came to its end. */
export type StreamEnd = { readonly error?: unknown };

/**
 * Bytes as the body of an answer, made no faster than they are taken. Where they cannot be made to the end, or nobody takes
 * any for `idleMs`, the connection is cut by `cut`: the caller sees that the file is not whole, instead of one that is short.
 */
export function byteStream(
  source: AsyncIterable<Uint8Array>,
  options: { readonly idleMs: number; readonly cut: () => void; readonly ended: (end: StreamEnd) => void },
): ReadableStream<Uint8Array> {
  const pieces = source[Symbol.asyncIterator]();
  let idle: NodeJS.Timeout | undefined;
  let isOver = false;
  const end = (how: StreamEnd) => {
    clearTimeout(idle);
    if (isOver) return;
    isOver = true;
    options.ended(how);
  };
  const giveUp = async () => {
    end({});
    options.cut();
    await pieces.return?.();
  };
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        clearTimeout(idle);
        try {
          const { done, value } = await pieces.next();
          if (isOver) return;
          if (done === true) {
            end({});
            controller.close();
            return;
          }
          controller.enqueue(value);
          idle = setTimeout(() => void giveUp().catch(() => {}), options.idleMs);
        } catch (error) {
          end({ error });
          options.cut();
        }
      },
      async cancel() {
        end({});
        await pieces.return?.();
      },
    },
    { highWaterMark: 0 },
  );
}
