package formula

// The tables below are read-only.

type symbol struct {
	r      rune
	class  class
	beside bool // an operator whose limits stand beside it (integrals)
}

type environment struct {
	left, right rune
	align       func(int) byte
	gap         float64
	display     bool
}

func centred(int) byte { return 'c' }
func lefts(int) byte   { return 'l' }
func alternate(i int) byte {
	if i%2 == 0 {
		return 'r'
	}
	return 'l'
}

var environments = map[string]environment{
	"matrix": {0, 0, centred, 0.9, false}, "array": {0, 0, centred, 0.9, false},
	"pmatrix": {'(', ')', centred, 0.9, false}, "bmatrix": {'[', ']', centred, 0.9, false},
	"vmatrix": {'|', '|', centred, 0.9, false}, "Bmatrix": {'{', '}', centred, 0.9, false},
	"cases":   {'{', 0, lefts, 0.9, false},
	"aligned": {0, 0, alternate, 5.0 / 18, true}, "align": {0, 0, alternate, 5.0 / 18, true},
	"align*": {0, 0, alternate, 5.0 / 18, true}, "gathered": {0, 0, centred, 0.05, true},
	"split": {0, 0, alternate, 5.0 / 18, true},
}

var spaces = map[string]float64{
	",": 1.0 / 6, ":": 2.0 / 9, ";": 5.0 / 18, "!": -1.0 / 6, " ": 1.0 / 3, "quad": 1, "qquad": 2,
	"enspace": 0.5, "thinspace": 1.0 / 6, ">": 2.0 / 9,
}

var fonts = map[string]string{
	"mathrm": "rm", "mathbf": "bf", "boldsymbol": "bf", "bm": "bf", "mathbb": "bb", "mathcal": "cal", "mathscr": "cal",
	"mathfrak": "frak", "mathit": "", "mathnormal": "",
}

var accents = map[string]rune{
	"hat": 'ˆ', "widehat": 'ˆ', "tilde": '˜', "widetilde": '˜', "dot": '˙', "ddot": '¨', "vec": '→', "check": 'ˇ',
	"acute": '´', "grave": '`', "overrightarrow": '→',
}

var delimiters = map[string]rune{
	"(": '(', ")": ')', "[": '[', "]": ']', "{": '{', "}": '}', "|": '|', "lbrace": '{', "rbrace": '}',
	"vert": '|', "lvert": '|', "rvert": '|', "Vert": '‖', "lVert": '‖', "rVert": '‖', "langle": '⟨', "rangle": '⟩',
	"lfloor": '⌊', "rfloor": '⌋', "lceil": '⌈', "rceil": '⌉', "/": '/', "<": '⟨', ">": '⟩',
}

var functions = map[string]bool{
	"sin": true, "cos": true, "tan": true, "cot": true, "sec": true, "csc": true, "arcsin": true, "arccos": true,
	"arctan": true, "sinh": true, "cosh": true, "tanh": true, "log": true, "ln": true, "lg": true, "exp": true,
	"arg": true, "deg": true, "dim": true, "hom": true, "ker": true,
}

var limitFunctions = map[string]bool{
	"lim": true, "max": true, "min": true, "sup": true, "inf": true, "det": true, "gcd": true, "Pr": true, "limsup": true, "liminf": true,
}

var symbols = map[string]symbol{
	"alpha": {r: 'α'}, "beta": {r: 'β'}, "gamma": {r: 'γ'}, "delta": {r: 'δ'}, "epsilon": {r: 'ϵ'}, "varepsilon": {r: 'ε'},
	"zeta": {r: 'ζ'}, "eta": {r: 'η'}, "theta": {r: 'θ'}, "vartheta": {r: 'ϑ'}, "iota": {r: 'ι'}, "kappa": {r: 'κ'},
	"lambda": {r: 'λ'}, "mu": {r: 'μ'}, "nu": {r: 'ν'}, "xi": {r: 'ξ'}, "omicron": {r: 'ο'}, "pi": {r: 'π'}, "varpi": {r: 'ϖ'},
	"rho": {r: 'ρ'}, "varrho": {r: 'ϱ'}, "sigma": {r: 'σ'}, "varsigma": {r: 'ς'}, "tau": {r: 'τ'}, "upsilon": {r: 'υ'},
	"phi": {r: 'ϕ'}, "varphi": {r: 'φ'}, "chi": {r: 'χ'}, "psi": {r: 'ψ'}, "omega": {r: 'ω'},
	"Gamma": {r: 'Γ'}, "Delta": {r: 'Δ'}, "Theta": {r: 'Θ'}, "Lambda": {r: 'Λ'}, "Xi": {r: 'Ξ'}, "Pi": {r: 'Π'},
	"Sigma": {r: 'Σ'}, "Upsilon": {r: 'Υ'}, "Phi": {r: 'Φ'}, "Psi": {r: 'Ψ'}, "Omega": {r: 'Ω'},

	"pm": {'±', bin, false}, "mp": {'∓', bin, false}, "times": {'×', bin, false}, "div": {'÷', bin, false}, "cdot": {'⋅', bin, false},
	"ast": {'∗', bin, false}, "star": {'⋆', bin, false}, "circ": {'∘', bin, false}, "bullet": {'∙', bin, false}, "cap": {'∩', bin, false},
	"cup": {'∪', bin, false}, "wedge": {'∧', bin, false}, "land": {'∧', bin, false}, "vee": {'∨', bin, false}, "lor": {'∨', bin, false},
	"oplus": {'⊕', bin, false}, "otimes": {'⊗', bin, false}, "setminus": {'∖', bin, false},

	"le": {'≤', rel, false}, "leq": {'≤', rel, false}, "ge": {'≥', rel, false}, "geq": {'≥', rel, false}, "ne": {'≠', rel, false},
	"neq": {'≠', rel, false}, "approx": {'≈', rel, false}, "equiv": {'≡', rel, false}, "sim": {'∼', rel, false}, "simeq": {'≃', rel, false},
	"cong": {'≅', rel, false}, "propto": {'∝', rel, false}, "in": {'∈', rel, false}, "notin": {'∉', rel, false}, "ni": {'∋', rel, false},
	"subset": {'⊂', rel, false}, "subseteq": {'⊆', rel, false}, "supset": {'⊃', rel, false}, "supseteq": {'⊇', rel, false},
	"ll": {'≪', rel, false}, "gg": {'≫', rel, false}, "perp": {'⊥', rel, false}, "parallel": {'∥', rel, false}, "mid": {'∣', rel, false},
	"to": {'→', rel, false}, "rightarrow": {'→', rel, false}, "leftarrow": {'←', rel, false}, "gets": {'←', rel, false},
	"leftrightarrow": {'↔', rel, false}, "Rightarrow": {'⇒', rel, false}, "Leftarrow": {'⇐', rel, false}, "Leftrightarrow": {'⇔', rel, false},
	"implies": {'⟹', rel, false}, "iff": {'⟺', rel, false}, "mapsto": {'↦', rel, false}, "uparrow": {'↑', rel, false}, "downarrow": {'↓', rel, false},
	"longrightarrow": {'⟶', rel, false}, "colon": {':', punct, false},

	"infty": {r: '∞'}, "partial": {r: '∂'}, "nabla": {r: '∇'}, "forall": {r: '∀'}, "exists": {r: '∃'}, "emptyset": {r: '∅'},
	"varnothing": {r: '∅'}, "neg": {r: '¬'}, "lnot": {r: '¬'}, "angle": {r: '∠'}, "triangle": {r: '△'}, "prime": {r: '′'},
	"hbar": {r: 'ℏ'}, "ell": {r: 'ℓ'}, "Re": {r: 'ℜ'}, "Im": {r: 'ℑ'}, "aleph": {r: 'ℵ'}, "degree": {r: '°'}, "surd": {r: '√'},
	"dots": {r: '…'}, "ldots": {r: '…'}, "cdots": {r: '⋯'}, "vdots": {r: '⋮'}, "ddots": {r: '⋱'}, "therefore": {'∴', rel, false},
	"because": {'∵', rel, false}, "%": {r: '%'}, "$": {r: '$'}, "#": {r: '#'}, "&": {r: '&'}, "_": {r: '_'},
	"{": {'{', opening, false}, "}": {'}', closing, false}, "|": {r: '‖'}, "lbrace": {'{', opening, false}, "rbrace": {'}', closing, false},
	"langle": {'⟨', opening, false}, "rangle": {'⟩', closing, false}, "lfloor": {'⌊', opening, false}, "rfloor": {'⌋', closing, false},
	"lceil": {'⌈', opening, false}, "rceil": {'⌉', closing, false}, "vert": {r: '|'}, "Vert": {r: '‖'}, "lvert": {'|', opening, false},
	"rvert": {'|', closing, false}, "backslash": {r: '\\'},

	"sum": {'∑', op, false}, "prod": {'∏', op, false}, "coprod": {'∐', op, false}, "bigcup": {'⋃', op, false}, "bigcap": {'⋂', op, false},
	"bigvee": {'⋁', op, false}, "bigwedge": {'⋀', op, false}, "bigoplus": {'⨁', op, false}, "bigotimes": {'⨂', op, false},
	"int": {'∫', op, true}, "iint": {'∬', op, true}, "iiint": {'∭', op, true}, "oint": {'∮', op, true},
}
