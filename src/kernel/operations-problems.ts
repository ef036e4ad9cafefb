/** Refusals of operating the product: who may do what, and how runs, schedules and the interface are used. */
export const operationsProblems = {} as const satisfies Record<
  string,
  { readonly status: number; readonly ko: string; readonly en: string }
>;
