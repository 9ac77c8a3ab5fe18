/** A text that should name a MAC, IPv4 or IPv6 address does not; the message shows the text and the form. */
export class AddressError extends Error {
  constructor(kind: string, text: string, form: string) {
    super(`${kind} address ${JSON.stringify(text)} is not of the form ${form}`);
    this.name = 'AddressError';
  }
}
