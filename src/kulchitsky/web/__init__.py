"""The workbench in the browser: request in, one use case, a page out.

Loaded when first used, so that the command line does not wait for a web server it may not need.
"""

from typing import TYPE_CHECKING

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__, submod_attrs={"app": ["create_app"], "server": ["serve"], "settings": ["Settings"]}
)

if TYPE_CHECKING:
    from kulchitsky.web.app import create_app
    from kulchitsky.web.server import serve
    from kulchitsky.web.settings import Settings

    __all__ = ["Settings", "create_app", "serve"]
