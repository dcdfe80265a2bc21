"""What the outside looks like: one readable module per external system. Sees records, ports and errors of the hub only."""
