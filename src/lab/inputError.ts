/** A file that cannot be read, written or used, as one line that names the option and the file. */
export class InputError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'InputError';
  }
}
