"""How fast a log of calls becomes an inventory, and in how little memory."""
