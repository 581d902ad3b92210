/* How pictures look: see svg_style in svg.h. */
#include "engine/report/svg.h"

const char svg_style[] =
	"svg{width:100%;height:auto;display:block}"
	".grid{stroke:#e4e7ec;stroke-width:.8;fill:none}.frame{fill:none;stroke:#98a2b3}.tick{font-size:10px;fill:#667085}"
	".label{font-size:11px;fill:#344054;paint-order:stroke;stroke:#fff;stroke-width:2.5px}.strong{font-weight:700;fill:#101828}"
	".c90{fill:#2563eb;fill-opacity:.13;stroke:#2563eb;stroke-width:1}.c90.other{fill:#98a2b3;fill-opacity:.2;stroke:#98a2b3}"
	".c50{fill:#f59f00;fill-opacity:.16;stroke:#e8590c;stroke-width:1.2}"
	".horizon{stroke:#344054;stroke-dasharray:5 4;stroke-width:1.1}.thin{stroke-width:.6}"
	".sun{fill:#ffd43b;stroke:#e67700}.moon{fill:#ced4da;stroke:#495057}.moonpath{fill:none;stroke:#868e96;stroke-width:1;stroke-dasharray:1 3}"
	".star{fill:#ffd43b;stroke:#7a4100;stroke-width:1.2}.galaxy{stroke:#fff;stroke-width:.8;fill-opacity:.85}"
	".note{color:#667085;fill:#667085;font-size:12px}.day{fill:#fff3bf}.dusk{fill:#fff9e3}"
	".limit{stroke:#667085;stroke-dasharray:2 3;fill:none}.alt{stroke:#98a2b3;stroke-width:.7;stroke-opacity:.55}"
	".alt.no{stroke:#d9480f;stroke-width:1.4;stroke-dasharray:4 3;stroke-opacity:.9}"
	".slot{stroke:#2563eb;stroke-width:4.5}.slot.done{stroke:#1a7f4b}.slot.failed{stroke:#b42318}.cloud{fill:#868e96}"
	".heard{stroke:#344054;stroke-width:1;fill:none}text.heard{stroke:none;fill:#344054}"
	".order{stroke:#b42318;stroke-width:1;fill:none}text.order{stroke:none;fill:#b42318;font-weight:700}"
	".restart{stroke:#f59f00;stroke-width:1.6;stroke-dasharray:6 3;fill:none}text.restart{stroke:none;fill:#b35c00}"
	"figure{margin:0 0 8px}figcaption{color:#667085;font-size:12.5px;margin:4px 0 8px}"
	".f1{color:#1a7f4b}.f2{color:#2563eb}.f3{color:#8b5cf6}.f4{color:#d9480f}.f5{color:#98a2b3}";
