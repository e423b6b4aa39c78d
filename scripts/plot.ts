/**
 * Pictures of measurements as SVG: panels of lines, areas or bars below each other.
 *
 * @module
 */

/** A line or a row of bars. */
export interface Series {
  readonly name: string;
  /** With numbers for x in panels of lines, with categories for x in panels of bars. */
  readonly points: readonly (readonly [x: number | string, y: number])[];
}

/** One diagram. */
export interface Panel {
  readonly kind: "lines" | "bars";
  readonly title: string;
  /** What the y axis shows, with its unit. */
  readonly y: string;
  /** Where the y axis begins; at 0 unless told. */
  readonly from?: number;
  readonly series: readonly Series[];
}

/** A picture. */
export interface Picture {
  readonly title: string;
  readonly subtitle: string;
  /** What the x axis shows, with its unit. */
  readonly x: string;
  /** Panels of one kind, all with the same x axis. */
  readonly panels: readonly Panel[];
  /** A span of the x axis that is shaded, and why; in panels of lines. */
  readonly shaded?: { readonly name: string; readonly from: number; readonly to: number };
}

const WIDTH = 960;
const PANEL_HEIGHT = 250;
const HEAD = 76;
const GAP = 66;
const FOOT = 84;
const INK = "#333333";
/** Told apart without seeing red and green (Okabe and Ito's, in another order). */
const COLOURS = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00"];

/** Draws a picture. */
export async function drawSvg(picture: Picture): Promise<string> {
  // It is large, and nothing else needs it.
  const { init } = await import("echarts");
  const chart = init(null, null, {
    renderer: "svg",
    ssr: true,
    width: WIDTH,
    height: HEAD + picture.panels.length * (PANEL_HEIGHT + GAP) - GAP + FOOT,
  });
  try {
    chart.setOption(optionOf(picture));
    return `${chart.renderToSVGString()}\n`;
  } finally {
    chart.dispose();
  }
}

function optionOf({ panels, shaded, subtitle, title, x }: Picture): Record<string, unknown> {
  const topOf = (index: number) => HEAD + index * (PANEL_HEIGHT + GAP) + 24;
  const categories = [
    ...new Set(panels.flatMap(({ series }) => series.flatMap((it) => it.points.map(([at]) => at)))),
  ];
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
        subtextStyle: { ...text, fontSize: 12 },
      },
      ...panels.map((panel, i) => ({
        text: panel.title,
        left: 72,
        top: topOf(i) - 28,
        textStyle: { ...text, fontSize: 14 },
      })),
    ],
    legend: { bottom: 8, textStyle: text, icon: "roundRect", itemHeight: 8 },
    grid: panels.map((_, i) => ({
      left: 72,
      right: 24,
      top: topOf(i),
      height: PANEL_HEIGHT - 24,
    })),
    xAxis: panels.map((panel, i) => ({
      gridIndex: i,
      ...(panel.kind === "bars" ? { type: "category", data: categories } : { type: "value" }),
      ...(i === last ? { name: x } : {}),
      nameLocation: "middle",
      nameGap: 30,
      nameTextStyle: text,
      axisLabel: { ...text, hideOverlap: true },
      max: panel.kind === "bars" ? undefined : "dataMax",
      splitLine: { show: false },
    })),
    yAxis: panels.map((panel, i) => ({
      gridIndex: i,
      type: "value",
      name: panel.y,
      nameLocation: "middle",
      nameGap: 48,
      nameTextStyle: text,
      axisLabel: text,
      min: panel.from ?? 0,
      splitLine: { lineStyle: { color: "#e4e4e4" } },
    })),
    series: panels.flatMap((panel, i) =>
      panel.series.map((series, n) => ({
        name: series.name,
        type: panel.kind === "bars" ? "bar" : "line",
        xAxisIndex: i,
        yAxisIndex: i,
        data: series.points,
        color: COLOURS[n % COLOURS.length],
        showSymbol: false,
        lineStyle: { width: 1.8, type: n < COLOURS.length ? "solid" : "dashed" },
        ...(n === 0 && shaded !== undefined ? { markArea: areaOf(shaded) } : {}),
      }))
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
