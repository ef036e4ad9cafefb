import type { Metrics } from '../metrics.ts';
import { servedSpan } from '../tracing.ts';

/** 요청 관측. Sees each request to a route and its answer; `route` is its pattern, so that there are only so many. */
export type RequestObserver = (
  asked: { readonly request: Request; readonly method: string; readonly route: string },
  answer: () => Promise<Response>,
) => Promise<Response>;

/** Measures answers, and makes spans of them below the caller's where it sends `traceparent`. */
export function createRequestObserver(metrics: Metrics): RequestObserver {
  return ({ request, method, route }, answer) => {
    const began = performance.now();
    const attributes = { 'http.request.method': method, 'http.route': route };
    return servedSpan(Object.fromEntries(request.headers), { name: `${method} ${route}`, attributes }, async () => {
      const response = await answer();
      metrics.httpAnswered(method, route, response.status, (performance.now() - began) / 1000);
      return response;
    });
  };
}
