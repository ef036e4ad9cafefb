/** 상태. What whoever watches a server, or sends it requests, asks. */
export type HealthPorts = {
  /** Undefined until the process has opened what it needs. */
  opened(): { readonly databaseAnswers: () => Promise<unknown>; readonly engineIsHealthy: () => boolean } | undefined;
  readonly signal: AbortSignal;
};

const databaseMs = 2_000;

/**
 * `/health/live`: the process answers. `/health/ready` and `/health`: it can work, so requests may be sent to it; 503 while
 * it starts, ends, has no database or no longer holds its proof of life.
 */
export async function healthAnswer(path: string, { opened, signal }: HealthPorts): Promise<Response> {
  if (path === '/health/live') return Response.json({ status: 'ok' });
  const app = opened();
  if (app === undefined) return Response.json({ status: 'starting' }, { status: 503 });
  const database = await answersInTime(app.databaseAnswers());
  const engine = app.engineIsHealthy();
  const ok = database && engine && !signal.aborted;
  return Response.json({ status: ok ? 'ok' : 'unavailable', database, engine }, { status: ok ? 200 : 503 });
}

async function answersInTime(answer: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), databaseMs);
  });
  const answered = answer.then(
    () => true,
    () => false,
  );
  return Promise.race([answered, late]).finally(() => clearTimeout(timer));
}
