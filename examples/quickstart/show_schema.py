"""A schema as a table. Usage: show_schema.py SCHEMA.json"""
import json
import sys

with open(sys.argv[1]) as file:
    schema = json.load(file)
print(f"  {'column':<14} {'type':<9} {'may be missing':<15} categories")
for column in schema["inputs"]:
    known = column.get("categories", [])
    shown = ", ".join(map(str, known[:5])) + (f", … {len(known)} in all" if len(known) > 5 else "")
    print(f"  {column['name']:<14} {column['type']:<9} {'yes' if column.get('nullable') else 'no':<15} {shown}".rstrip())
