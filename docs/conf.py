"""How Sphinx builds these pages: without network, warnings being errors (`make docs`)."""

import os
import sys
import tomllib
from pathlib import Path

import lyapnet

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_ext"))
os.environ["MATPLOTLIBRC"] = str(HERE)  # of the figures that the pages draw

METADATA = tomllib.loads((HERE.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
# None until the public address is known: pyproject.toml is the one place for it
REPOSITORY = METADATA.get("urls", {}).get("Repository")

project = "lyapnet"
author = "The lyapnet developers"
copyright = author
release = version = lyapnet.__version__

extensions = [
    "public_names",  # _ext/: the API pages, one for each public name
    "benchmark_tables",  # _ext/: the tables of benchmarks.md, from benchmarks/data
    "rooms",  # _ext/: the map of the package in extending.md
    "figures",  # _ext/: one scale for all figures, and a description for each
    "myst_nb",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx-mathjax-offline",
    "sphinx.ext.intersphinx",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
    "sphinx_design",
]
exclude_patterns = ["_build", "**.ipynb_checkpoints"]
templates_path = ["_templates"]
default_role = "py:obj"

# References to NumPy and others need the network: LYAPNET_INTERSPHINX=1 make docs
intersphinx_mapping = {}
if os.environ.get("LYAPNET_INTERSPHINX"):
    intersphinx_mapping = {
        "python": ("https://docs.python.org/3", None),
        "numpy": ("https://numpy.org/doc/stable", None),
        "scipy": ("https://docs.scipy.org/doc/scipy", None),
        "matplotlib": ("https://matplotlib.org/stable", None),
    }

# Docstrings
autosummary_generate = True
autodoc_typehints = "none"  # the docstrings give shapes and units, which types do not
autodoc_member_order = "bysource"
toc_object_entries_show_parents = "hide"
numpydoc_show_class_members = False  # the template of a class lists them
numpydoc_attributes_as_param_list = True

# Pages and notebooks in Markdown; code is run at every build
myst_enable_extensions = ["amsmath", "deflist", "dollarmath", "colon_fence", "substitution"]
myst_html_meta = {"description": METADATA["description"]}
source_link = f"[repository]({REPOSITORY}), " if REPOSITORY else ""
myst_substitutions = {"version": version, "source_link": source_link}
myst_heading_anchors = 3
myst_dmath_double_inline = True
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_show_tb = True
nb_execution_timeout = 600  # of a cell, on a busy machine
nb_merge_streams = True
nb_ipywidgets_js = {}  # would be loaded from the network
mathjax3_config = {
    "tex": {
        "macros": {
            "diag": r"\operatorname{diag}",
            "sign": r"\operatorname{sign}",
            "copyltu": r"\operatorname{copyltu}",
        }
    }
}

# HTML
html_theme = "pydata_sphinx_theme"
html_title = f"lyapnet {version}"
html_favicon = "_static/favicon.svg"
html_static_path = ["_static"]
html_css_files = ["lyapnet.css"]
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {
    "logo": {"text": "lyapnet"},
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "navbar_end": ["theme-switcher", "navbar-icon-links"],
    "header_links_before_dropdown": 6,
    "secondary_sidebar_items": {
        "**": ["page-toc"],
        **{name: [] for name in ("index", "comparison", "benchmarks")},
    },
    "footer_start": ["copyright"],
    "footer_end": [],
}
if REPOSITORY:
    html_theme_options["icon_links"] = [
        {"name": "Repository", "url": REPOSITORY, "icon": "fa-solid fa-code-branch"}
    ]
copybutton_prompt_text = r">>> |\.\.\. |\$ "  # these, and what is printed, are not copied
copybutton_prompt_is_regexp = True
# nothing stands below these pages
alone = ("index", "theory", "benchmarks", "comparison", "glossary", "extending", "not", "changelog")
html_sidebars = {name: [] for name in alone}


def without_empty_list(app, docname, source):
    """Take the list of pages from a page that has none below it (yet): the list would warn."""
    below = any(name.startswith(f"{docname}/") for name in app.env.found_docs)
    if "{toctree}\n:glob:" in source[0] and not below:
        source[0] = source[0].partition("```{toctree}")[0]


def setup(app):
    app.connect("source-read", without_empty_list)
