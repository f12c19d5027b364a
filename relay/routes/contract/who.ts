/** The staff a route is for; RouteContract's `access`. */
export const everyone = ['admin', 'operator', 'readonly'] as const;
export const operators = ['admin', 'operator'] as const;
export const claimers = ['admin', 'operator', 'technician'] as const;
export const admins = ['admin'] as const;
