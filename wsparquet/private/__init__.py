"""The private APIs of other libraries that wsparquet uses. Only one module uses the private APIs of a library.

Each module says which versions of its library were tried. A new version of a library can break only this one module.
"""
