/** What a person may be. The routes say which of them may do what. */
export const ROLES = ['admin', 'operator', 'readonly', 'technician'] as const;
export type Role = (typeof ROLES)[number];

export const isRole = (text: string): text is Role => (ROLES as readonly string[]).includes(text);
