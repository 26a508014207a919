//! Scenes onto paper, by plotters: SVG for pages, PNG for whoever cannot show it.

use super::scene::{Anchor, MarkKind, Place, Scene, Shape};
use plotters::coord::Shift;
use plotters::element::DashedPathElement;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{FontTransform, register_font};
use std::path::Path;
use std::sync::OnceLock;

/// The generic name, so that an SVG takes the reader's own font; PNGs take the bundled one, which
/// is registered under the same name.
const FAMILY: &str = "sans-serif";
/// Plotters has whole pixels only: two of them for each of the scene's make lines smooth.
const SCALE: f64 = 2.0;

/// How a backend of plotters takes a font size, and where it puts a text's baseline under its top.
#[derive(Clone, Copy)]
struct Typesetting {
    /// The size that it must be given for one pixel of em.
    size_per_em: f64,
    /// Where the baseline is under the place that it is given, in em.
    baseline: f64,
}

/// It divides the size by 1.24 and shifts by 0.76 em.
const SVG: Typesetting = Typesetting { size_per_em: 1.24, baseline: 0.76 };
/// It takes the size for ascent and descent, which are 1.164 em in DejaVu Sans, and shifts by half
/// of it.
const PNG: Typesetting = Typesetting { size_per_em: 1.164, baseline: 0.582 };

/// The scene as an SVG document.
pub(super) fn svg(scene: &Scene) -> Result<String, String> {
    let mut out = String::new();
    {
        let root = SVGBackend::with_string(&mut out, size(scene)).into_drawing_area();
        paint(scene, &root, SVG)?;
    }
    Ok(out)
}

/// The scene as the PNG file `path`.
pub(super) fn png(scene: &Scene, path: &Path) -> Result<(), String> {
    let root = BitMapBackend::new(path, size(scene)).into_drawing_area();
    root.fill(&WHITE).map_err(|error| error.to_string())?;
    paint(scene, &root, PNG)
}

/// How wide a text is in the bundled font; a reader's own is seldom wider.
pub(super) fn text_width(text: &str, size: f64, bold: bool) -> f64 {
    register_fonts();
    // Measured large, since plotters rounds down to whole pixels.
    const MAGNIFIED: f64 = 100.0;
    font(MAGNIFIED * PNG.size_per_em, bold)
        .box_size(text)
        .map_or(0.0, |(width, _)| f64::from(width) * size / MAGNIFIED)
}

fn register_fonts() {
    static ONCE: OnceLock<()> = OnceLock::new();
    ONCE.get_or_init(|| {
        let fonts: [(FontStyle, &'static [u8]); 2] = [
            (FontStyle::Normal, include_bytes!("../../../fonts/DejaVuSans.ttf")),
            (FontStyle::Bold, include_bytes!("../../../fonts/DejaVuSans-Bold.ttf")),
        ];
        for (style, bytes) in fonts {
            if register_font(FAMILY, style, bytes).is_err() {
                unreachable!("the bundled fonts are whole");
            }
        }
    });
}

fn size(scene: &Scene) -> (u32, u32) {
    ((scene.width * SCALE) as u32, (scene.height * SCALE) as u32)
}

fn font(size: f64, bold: bool) -> FontDesc<'static> {
    let style = if bold { FontStyle::Bold } else { FontStyle::Normal };
    FontDesc::new(FontFamily::SansSerif, size, style).transform(FontTransform::None)
}

fn paint<DB: DrawingBackend>(
    scene: &Scene,
    root: &DrawingArea<DB, Shift>,
    typesetting: Typesetting,
) -> Result<(), String> {
    register_fonts();
    for shape in &scene.shapes {
        draw(shape, root, typesetting).map_err(|error| error.to_string())?;
    }
    root.present().map_err(|error| error.to_string())
}

fn pixel((x, y): Place) -> (i32, i32) {
    ((x * SCALE).round() as i32, (y * SCALE).round() as i32)
}

fn draw<DB: DrawingBackend>(
    shape: &Shape,
    root: &DrawingArea<DB, Shift>,
    typesetting: Typesetting,
) -> Result<(), DrawingAreaErrorKind<DB::ErrorType>> {
    match shape {
        Shape::Line { points, role, width, dashed } => {
            let (red, green, blue) = role.light();
            let style = RGBColor(red, green, blue).stroke_width((width * SCALE).round() as u32);
            let points: Vec<(i32, i32)> = points.iter().copied().map(pixel).collect();
            if *dashed {
                root.draw(&DashedPathElement::new(points, 10, 7, style))
            } else {
                root.draw(&PathElement::new(points, style))
            }
        }
        Shape::Rect { from, to, role } => {
            let (red, green, blue) = role.light();
            let style = RGBColor(red, green, blue).filled();
            root.draw(&Rectangle::new([pixel(*from), pixel(*to)], style))
        }
        Shape::Area { outline, role } => {
            let (red, green, blue) = role.light();
            let outline: Vec<(i32, i32)> = outline.iter().copied().map(pixel).collect();
            root.draw(&Polygon::new(outline, RGBColor(red, green, blue).filled()))
        }
        Shape::Mark { kind, at, size, role, opacity } => {
            let (red, green, blue) = role.light();
            let colour = RGBColor(red, green, blue).mix(*opacity);
            mark(*kind, *at, *size, colour, root)
        }
        Shape::Text { at, anchor, size, bold, role, text } => {
            let (red, green, blue) = role.light();
            let horizontal = match anchor {
                Anchor::Start => HPos::Left,
                Anchor::Middle => HPos::Center,
                Anchor::End => HPos::Right,
            };
            let style = font(size * SCALE * typesetting.size_per_em, *bold)
                .color(&RGBColor(red, green, blue))
                .pos(Pos::new(horizontal, VPos::Top));
            let top = (at.0, at.1 - size * typesetting.baseline);
            root.draw_text(text, &style, pixel(top))
        }
    }
}

fn mark<DB: DrawingBackend>(
    kind: MarkKind,
    (x, y): Place,
    size: f64,
    colour: RGBAColor,
    root: &DrawingArea<DB, Shift>,
) -> Result<(), DrawingAreaErrorKind<DB::ErrorType>> {
    let corner = |right: f64, down: f64| pixel((x + right * size, y + down * size));
    match kind {
        MarkKind::Disc => {
            root.draw(&Circle::new(pixel((x, y)), (size * SCALE).round() as i32, colour.filled()))
        }
        MarkKind::Triangle => root.draw(&Polygon::new(
            [corner(0.0, -1.2), corner(1.1, 0.8), corner(-1.1, 0.8)],
            colour.filled(),
        )),
        MarkKind::Square => {
            root.draw(&Rectangle::new([corner(-0.9, -0.9), corner(0.9, 0.9)], colour.filled()))
        }
        MarkKind::Cross => {
            let style = colour.stroke_width((0.55 * size * SCALE).round() as u32);
            root.draw(&PathElement::new([corner(-1.0, -1.0), corner(1.0, 1.0)], style))?;
            root.draw(&PathElement::new([corner(-1.0, 1.0), corner(1.0, -1.0)], style))
        }
    }
}
