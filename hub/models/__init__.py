"""SQLModel tables, one file per noun. `tenant_id` leads every key."""
