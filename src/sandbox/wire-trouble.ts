/** What a client asks of a server that takes files: to write a part of one, or to give it its name. */
export type WireRequest = { readonly act: 'put' | 'rename'; readonly name: string };

/**
 * When the connection is lost on the way of a request: before it is done, or after it was done and before it is answered.
 * Undefined: it is answered. Asked once for each request.
 */
export type Lose = (request: WireRequest) => 'before' | 'after' | undefined;
