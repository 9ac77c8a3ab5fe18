/** Aligned text tables. Widths are of the text; a style is put around a cell once it is padded. */

export type Style = (text: string) => string;

export interface Cell {
  readonly text: string;
  readonly style: Style;
}

export type Row = readonly (Cell | string)[];

export type Align = 'left' | 'right';

const GAP = '  ';
const plain: Style = (text) => text;

export const styled = (style: Style, text: string): Cell => ({ text, style });

const cellOf = (cell: Cell | string): Cell =>
  typeof cell === 'string' ? { text: cell, style: plain } : cell;

/** Characters, not UTF-16 units, each one column wide. */
const width = (text: string): number => [...text].length;

function padded({ text, style }: Cell, to: number, align: Align, last: boolean): string {
  const space = ' '.repeat(Math.max(0, to - width(text)));
  if (align === 'right') return space + style(text);
  return style(text) + (last ? '' : space);
}

const withoutEmptyEnd = (row: readonly Cell[]): readonly Cell[] =>
  row.slice(0, row.findLastIndex(({ text }) => text !== '') + 1);

/** One line per row, indented by two; columns beyond `aligns` are set to the right. */
export function table(rows: readonly Row[], aligns: readonly Align[]): string[] {
  const cells = rows.map((row) => withoutEmptyEnd(row.map(cellOf)));
  const columns = Math.max(0, ...cells.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, i) =>
    Math.max(...cells.map((row) => width(row[i]?.text ?? ''))),
  );
  return cells.map((row) => {
    const last = row.length - 1;
    const line = row.map((cell, i) => padded(cell, widths[i]!, aligns[i] ?? 'right', i === last));
    return GAP + line.join(GAP);
  });
}
