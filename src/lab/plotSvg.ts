/** The parts that every plot is drawn of: SVG elements as text, colours, and the frame of a plot. */

/** Attributes and children, escaped; numbers to a tenth of a pixel. */
export function element(
  name: string,
  attributes: Readonly<Record<string, string | number>>,
  ...children: readonly string[]
): string {
  const written = Object.entries(attributes).map(
    ([key, value]) => ` ${key}="${typeof value === 'number' ? pixels(value) : escaped(value)}"`,
  );
  const inner = children.join('');
  return inner === ''
    ? `<${name}${written.join('')}/>`
    : `<${name}${written.join('')}>${inner}</${name}>`;
}

export const escaped = (words: string): string =>
  words
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');

/** A tenth of a pixel, and no `-0`. */
export const pixels = (value: number): string => String(Math.round(value * 10) / 10 + 0);

export const FONT = "'Helvetica Neue', Helvetica, Arial, 'Liberation Sans', sans-serif";
export const INK = '#222';
export const FAINT = '#767676';
export const GRID = '#e4e4e4';

export interface TextLook {
  readonly anchor?: 'start' | 'middle' | 'end';
  readonly size?: number;
  readonly fill?: string;
  readonly weight?: 'normal' | 'bold';
  /** Degrees, about its place. */
  readonly turn?: number;
}

export function text(x: number, y: number, words: string, look: TextLook = {}): string {
  const { anchor = 'start', size = 12, fill = INK, weight = 'normal', turn = 0 } = look;
  return element(
    'text',
    {
      x,
      y,
      'text-anchor': anchor,
      'font-size': size,
      fill,
      ...(weight === 'normal' ? {} : { 'font-weight': weight }),
      ...(turn === 0 ? {} : { transform: `rotate(${turn} ${pixels(x)} ${pixels(y)})` }),
    },
    escaped(words),
  );
}

/** Pixels that a text takes, about: sans-serif letters are little more than half as wide as high. */
export const textWidth = (words: string, size: number = 12): number => words.length * size * 0.56;

/** What one sees when the pointer is on a mark: pages show it in a box, lone SVGs by themselves. */
export const tip = (words: string): string => element('title', {}, escaped(words));

/** A whole drawing, which stands alone as a file as well. */
export const drawing = (
  width: number,
  height: number,
  title: string,
  parts: readonly string[],
): string =>
  element(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      viewBox: `0 0 ${width} ${height}`,
      width,
      height,
      role: 'img',
      'aria-label': title,
      'font-family': FONT,
    },
    element('rect', { width, height, fill: '#fff' }),
    ...parts,
  );
