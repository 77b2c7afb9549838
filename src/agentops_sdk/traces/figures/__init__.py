"""What is counted over spans and traces: columns, accounts, loops, tables, comparisons; and numbers for people."""
