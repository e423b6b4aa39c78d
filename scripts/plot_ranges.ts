/**
 * What stands side by side within a category: the ranges and numbers of bars, and marks instead of
 * bars. The library has neither, so they are drawn by hand at the places of its bars.
 *
 * @module
 */

import type { Panel } from "./plot.ts";

const INK = "#333333";
/** How far bars are apart: of the whole width of a category, and of a bar. */
export const LAYOUT = { barCategoryGap: "20%", barGap: "10%" };
const WHISKER = 4;
const MARK = 4.5;

/** What of the library's drawing interface is used. */
interface Drawing {
  value(dimension: number): number;
  coord(point: readonly [number, number]): [x: number, y: number];
  barLayout(options: object): { offsetCenter: number }[];
}

/** The categories of a panel, from left to right. */
export function categoriesOf({ categories, series }: Panel): readonly (number | string)[] {
  return categories ?? [...new Set(series.flatMap(({ points }) => points.map(([at]) => at)))];
}

/** The ranges and numbers of the bars of a series. */
export function rangesOf(panel: Panel, index: number, common: object): object {
  return drawnBeside(panel, index, { ...common, silent: true, z: 3 }, () => []);
}

/** A mark for each point of a series, with its range and number. */
export function marksOf(
  panel: Panel,
  index: number,
  common: { readonly color: string | undefined },
): object {
  return drawnBeside(panel, index, common, (cx, cy) => [{
    type: "circle",
    shape: { cx, cy, r: MARK },
    style: { fill: common.color, stroke: "#ffffff", lineWidth: 1 },
    z2: 2,
  }]);
}

function drawnBeside(
  panel: Panel,
  index: number,
  common: object,
  mark: (x: number, y: number) => readonly object[],
): object {
  const { points = [], ranges } = panel.series[index] ?? {};
  const categories = categoriesOf(panel);
  return {
    ...common,
    type: "custom",
    ...LAYOUT,
    // All four, so that the axis reaches as far as the ranges do.
    encode: { x: 0, y: [1, 2, 3] },
    data: points.map(([at, y], i) => [categories.indexOf(at), y, ...ranges?.[i] ?? [y, y]]),
    renderItem: (_: unknown, drawing: Drawing) => {
      const [at, value, low, high] = [0, 1, 2, 3].map((it) => drawing.value(it)) as Four;
      const layout = drawing.barLayout({ ...LAYOUT, count: panel.series.length });
      const x = drawing.coord([at, value])[0] + (layout[index]?.offsetCenter ?? 0);
      const [y, bottom, top] = [value, low, high].map((it) => drawing.coord([at, it])[1]) as Three;
      const line = (x1: number, y1: number, x2: number, y2: number) => ({
        type: "line",
        shape: { x1, y1, x2, y2 },
        style: { stroke: INK, lineWidth: 1 },
      });
      return {
        type: "group",
        children: [
          ...low === high ? [] : [
            line(x, bottom, x, top),
            line(x - WHISKER, bottom, x + WHISKER, bottom),
            line(x - WHISKER, top, x + WHISKER, top),
          ],
          ...mark(x, y),
          ...panel.label === undefined ? [] : [{
            type: "text",
            style: {
              text: panel.label(value),
              x,
              y: Math.min(top, y - (mark(x, y).length > 0 ? MARK : 0)) - 3,
              align: "center",
              verticalAlign: "bottom",
              fill: INK,
              stroke: "#ffffff",
              lineWidth: 3,
              font: "11px sans-serif",
            },
          }],
        ],
      };
    },
  };
}

type Four = [number, number, number, number];
type Three = [number, number, number];
