/**
 * Pictures of measurements as SVG: panels of lines, bars or marks below each other.
 *
 * @module
 */

import { categoriesOf, LAYOUT, marksOf, rangesOf } from "./plot_ranges.ts";

/** A line, or a row of bars or marks. */
export interface Series {
  readonly name: string;
  /** With numbers for x in panels of lines, with categories for x in the others. */
  readonly points: readonly (readonly [x: number | string, y: number])[];
  /** The lowest and the highest of each point, in the order of the points; not for lines. */
  readonly ranges?: readonly (readonly [low: number, high: number])[];
  /** One that goes with the name in all pictures; else the next one. */
  readonly colour?: string;
}

/** One diagram. */
export interface Panel {
  /** Bars begin at 0, so a logarithmic axis has marks instead. */
  readonly kind: "lines" | "bars" | "marks";
  readonly title: string;
  /** What the y axis shows, with its unit. */
  readonly y: string;
  /** Where the y axis begins; at 0 unless told. */
  readonly from?: number;
  /** Whether the y axis is logarithmic. */
  readonly logarithmic?: boolean;
  /** What the x axis shows, where it is not what the picture says. */
  readonly x?: string;
  /** How a number is written above its bar or mark; not at all unless told. */
  readonly label?: (value: number) => string;
  /** The categories from left to right; else in the order in which the series name them. */
  readonly categories?: readonly string[];
  readonly series: readonly Series[];
}

/** A picture. */
export interface Picture {
  readonly title: string;
  readonly subtitle: string;
  /** What the x axis shows, with its unit. */
  readonly x: string;
  /** Unless they say otherwise, all with the same x axis, which is told below the last. */
  readonly panels: readonly Panel[];
  /** A span of the x axis that is shaded, and why; in panels of lines. */
  readonly shaded?: { readonly name: string; readonly from: number; readonly to: number };
}

const WIDTH = 960;
const PANEL_HEIGHT = 250;
const HEAD = 76;
const SUBTITLE_LINE = 16;
const GAP = 66;
const FOOT = 84;
const INK = "#333333";
/** Told apart without seeing red and green (Okabe and Ito's, in another order). */
export const COLOURS: readonly string[] = [
  "#0072b2",
  "#e69f00",
  "#009e73",
  "#cc79a7",
  "#56b4e9",
  "#d55e00",
];

/** Draws a picture. */
export async function drawSvg(picture: Picture): Promise<string> {
  // It is large, and nothing else needs it.
  const { init } = await import("echarts");
  const chart = init(null, null, {
    renderer: "svg",
    ssr: true,
    width: WIDTH,
    height: headOf(picture) + picture.panels.length * (PANEL_HEIGHT + GAP) - GAP + FOOT,
  });
  try {
    chart.setOption(optionOf(picture));
    return `${chart.renderToSVGString()}\n`;
  } finally {
    chart.dispose();
  }
}

/** The head's height: it grows by the lines of the subtitle. */
function headOf({ subtitle }: Picture): number {
  return HEAD + (subtitle.split("\n").length - 1) * SUBTITLE_LINE;
}

function optionOf(picture: Picture): Record<string, unknown> {
  const { panels, shaded, subtitle, title, x } = picture;
  const topOf = (index: number) => headOf(picture) + index * (PANEL_HEIGHT + GAP) + 24;
  const text = { color: INK, fontFamily: "sans-serif" };
  const last = panels.length - 1;
  return {
    animation: false,
    backgroundColor: "#ffffff",
    color: COLOURS,
    textStyle: text,
    title: [
      {
        text: title,
        subtext: subtitle,
        left: 16,
        top: 10,
        textStyle: { ...text, fontSize: 18 },
        subtextStyle: {
          ...text,
          fontSize: 12,
          ...subtitle.includes("\n") ? { lineHeight: SUBTITLE_LINE } : {},
        },
      },
      ...panels.map((panel, i) => ({
        text: panel.title,
        left: 72,
        top: topOf(i) - 28,
        textStyle: { ...text, fontSize: 14 },
      })),
    ],
    legend: {
      bottom: 8,
      textStyle: text,
      icon: "roundRect",
      itemHeight: 8,
      // Few names have room for fonts that are wider than the library thinks.
      ...panels.every(({ kind }) => kind === "lines") ? {} : { itemGap: 32 },
    },
    grid: panels.map((_, i) => ({
      left: 72,
      right: 24,
      top: topOf(i),
      height: PANEL_HEIGHT - 24,
    })),
    xAxis: panels.map((panel, i) => ({
      gridIndex: i,
      ...(panel.kind === "lines"
        ? { type: "value" }
        : { type: "category", data: categoriesOf(panel) }),
      ...(i === last || panel.x !== undefined ? { name: panel.x ?? x } : {}),
      nameLocation: "middle",
      nameGap: 30,
      nameTextStyle: text,
      axisLabel: { ...text, hideOverlap: true },
      max: panel.kind === "lines" ? "dataMax" : undefined,
      splitLine: { show: false },
    })),
    yAxis: panels.map((panel, i) => ({
      gridIndex: i,
      type: panel.logarithmic ? "log" : "value",
      name: panel.y,
      nameLocation: "middle",
      nameGap: 48,
      nameTextStyle: text,
      axisLabel: text,
      min: panel.from ?? (panel.logarithmic ? undefined : 0),
      splitLine: { lineStyle: { color: "#e4e4e4" } },
    })),
    series: panels.flatMap((panel, i) =>
      panel.series.flatMap((series, n) => {
        const common = {
          name: series.name,
          xAxisIndex: i,
          yAxisIndex: i,
          color: series.colour ?? COLOURS[n % COLOURS.length],
        };
        if (panel.kind === "marks") return [marksOf(panel, n, common)];
        const drawn = {
          ...common,
          ...panel.kind === "bars" ? { type: "bar", ...LAYOUT } : { type: "line" },
          data: series.points,
          showSymbol: false,
          lineStyle: { width: 1.8, type: n < COLOURS.length ? "solid" : "dashed" },
          ...(n === 0 && shaded !== undefined ? { markArea: areaOf(shaded) } : {}),
        };
        return panel.kind === "bars" ? [drawn, rangesOf(panel, n, common)] : [drawn];
      })
    ),
  };
}

function areaOf({ from, name, to }: NonNullable<Picture["shaded"]>): object {
  return {
    silent: true,
    itemStyle: { color: "#00000012" },
    label: { position: "insideBottom", color: "#666666", fontSize: 11 },
    data: [[{ name, xAxis: from }, { xAxis: to }]],
  };
}
