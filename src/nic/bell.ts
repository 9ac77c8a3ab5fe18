/** What a doorbell belongs to. A number that lies at the same place in all of them is asked for faster than a class. */
export const BELL_CP = 0;
export const BELL_NQ = 1;
export const BELL_RX = 2;
export const BELL_TX = 3;
