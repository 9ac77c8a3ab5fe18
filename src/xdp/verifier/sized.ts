/** Bytes as explanations count them. */
export const sized = (bytes: number): string => (bytes === 1 ? '1 byte' : `${bytes} bytes`);
