import { AsyncLocalStorage } from 'node:async_hooks';

/** 관측. Sees runs and steps as this process executes them; what a replay only reads again is not seen. */
export type Observer = {
  run<T>(job: string, id: string, body: () => Promise<T>): Promise<T>;
  step<T>(job: string, name: string, body: () => Promise<T>): Promise<T>;
};

const jobs = new AsyncLocalStorage<string>();
let observer: Observer | undefined;

/** From here on; undefined ends it. */
export function observeRuns(given: Observer | undefined): void {
  observer = given;
}

/** For the engine alone. */
export function observedRun<T>(job: string, id: string, body: () => Promise<T>): Promise<T> {
  return observer === undefined ? body() : jobs.run(job, () => observer?.run(job, id, body) ?? body());
}

/** For the engine alone. */
export function observedStep<T>(name: string, body: () => Promise<T>): Promise<T> {
  return observer === undefined ? body() : observer.step(jobs.getStore() ?? '', name, body);
}
