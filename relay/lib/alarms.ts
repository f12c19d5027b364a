/** Why a box that was moved is stopped: its device key asked for a claim again before its first check-in. */
export const MOVED_KEY_ASKED_AGAIN = 'its device key asked for a claim again before the moved box had checked in';
