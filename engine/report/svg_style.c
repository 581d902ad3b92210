/* How pictures look: see svg_style in svg.h. */
#include "engine/report/svg.h"

const char *const svg_colours[SVG_COLOURS] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#8a6d00", "#000000"};
const char *const svg_dashes[SVG_COLOURS] = {"none", "7 3", "2 2", "9 3 2 3", "none", "7 3", "2 2"};

const char svg_style_page[] = "svg{width:100%;height:auto;display:block}"
	"figure{margin:0 0 8px}figcaption{color:#667085;font-size:12.5px;margin:4px 0 8px}"
	".f1{color:#1a7f4b}.f2{color:#2563eb}.f3{color:#8b5cf6}.f4{color:#d9480f}.f5{color:#98a2b3}";

const char svg_style[] =
	".title{font-size:15px;font-weight:700;fill:#101828}.axis{font-size:12px;fill:#344054}"
	".grid{stroke:#e4e7ec;stroke-width:.8;fill:none}.frame{fill:none;stroke:#98a2b3}.tick{font-size:10px;fill:#667085}"
	".label{font-size:11px;fill:#344054;paint-order:stroke;stroke:#fff;stroke-width:2.5px}.strong{font-weight:700;fill:#101828}"
	".r90{fill:#0072b2;fill-opacity:.14;stroke:#0072b2;stroke-width:1}.r50{fill:#0072b2;fill-opacity:.22;stroke:#0072b2;stroke-width:1.8}"
	".r90.other{fill:#98a2b3;fill-opacity:.2;stroke:#98a2b3}.r90.later{fill:#e69f00;fill-opacity:.16;stroke:#d55e00}"
	".r50.later{fill:#e69f00;fill-opacity:.2;stroke:#d55e00}"
	".horizon{stroke:#344054;stroke-dasharray:5 4;stroke-width:1.1;fill:none}.thin{stroke-width:.6}"
	".site{stroke:#009e73;stroke-width:1.5;fill:none}.site.lit{stroke:#98a2b3;stroke-width:.8;stroke-dasharray:2 3}"
	".plane{stroke:#cc79a7;stroke-width:1.2;stroke-dasharray:9 3 2 3;fill:none}"
	".sun{fill:#ffd43b;stroke:#7a4100}.moon{fill:#ced4da;stroke:#495057}.moonpath{fill:none;stroke:#868e96;stroke-width:1;stroke-dasharray:1 3}"
	".star{fill:#ffd43b;stroke:#7a4100;stroke-width:1.2}.galaxy{stroke:#fff;stroke-width:.8;fill-opacity:.85}"
	".field{fill-opacity:.06;stroke-width:1}.inset{fill:none;stroke:#101828;stroke-width:1}"
	".note{color:#667085;fill:#667085;font-size:12px}"
	".day{fill:#ffe08a}.civil{fill:#ffedb5}.dusk{fill:#fff7dc}.astro{fill:#eef1f6}"
	".limit{stroke:#667085;stroke-dasharray:2 3;fill:none}.alt{stroke:#98a2b3;stroke-width:.7;stroke-opacity:.55}"
	".alt.no{stroke:#d9480f;stroke-width:1.4;stroke-dasharray:4 3;stroke-opacity:.9}"
	".slot{stroke:#2563eb;stroke-width:4.5}.slot.done{stroke:#1a7f4b}.slot.failed{stroke:#b42318}.slot.cancelled{stroke:#8b5cf6;stroke-opacity:.45;stroke-width:3.5}.cloud{fill:#868e96}"
	".heard{stroke:#344054;stroke-width:1;fill:none}text.heard{stroke:none;fill:#344054}"
	".order{stroke:#b42318;stroke-width:1;fill:none}text.order{stroke:none;fill:#b42318;font-weight:700}"
	".restart{stroke:#f59f00;stroke-width:1.6;stroke-dasharray:6 3;fill:none}text.restart{stroke:none;fill:#b35c00}";
