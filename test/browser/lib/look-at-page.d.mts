/** Faults of the page it runs in, one sentence each; none when the page is fine. */
export function lookAtPage(): string[];
