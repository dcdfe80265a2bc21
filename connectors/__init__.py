"""What the outside looks like: one readable module per external system. Of the hub it sees records, ports, errors."""
