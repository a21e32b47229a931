"""The private APIs of other libraries that wsparquet uses. Each library has one module, and nothing else uses its APIs.

Each module says which versions of its library were tried. A new version of a library can only break its module here.
"""
